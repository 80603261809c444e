"""The rules: pure functions over tables of data. No clock, id, env, log or I/O."""
