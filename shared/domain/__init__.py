"""The rules: pure functions over tables of data. No time, id, env, log or I/O."""
