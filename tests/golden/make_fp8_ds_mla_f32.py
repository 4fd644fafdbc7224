"""Writes fp8_ds_mla_f32.txt: sources, and the rows that concat_and_cache_mla makes of them.

    python3 tests/golden/make_fp8_ds_mla_f32.py >tests/golden/fp8_ds_mla_f32.txt

The derivation is in ds_mla.py.
"""

from ds_mla import fp8_row, print_file

if __name__ == "__main__":
    print_file("fp8_ds_mla_f32", lambda kv_c, k_pe, numbers: fp8_row(kv_c, k_pe, powers=False))
