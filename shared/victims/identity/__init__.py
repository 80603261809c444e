"""Who a victim is: recorded, shown, searched; each look is logged."""
