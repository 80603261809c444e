"""What is common to every agency's service. It knows the rules of a referral and no ministry by name."""
