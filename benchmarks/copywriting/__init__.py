"""What benchmarks/copy.py measures: situations to write for, false and ordinary texts, diversity, limits."""
