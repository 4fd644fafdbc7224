"""What configure.py is made of. Standard library only, one step per file."""
