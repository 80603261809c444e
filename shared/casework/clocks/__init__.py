"""The time limits of the law and of local standards that our desks keep."""
