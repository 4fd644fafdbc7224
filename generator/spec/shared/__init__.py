"""What several spec files share: arguments, params and rules of the same meaning."""
