"""Faults planted one at a time in product code: does a test notice? See __main__."""
