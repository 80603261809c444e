"""The code common to every agency's service: the rules of a referral, without the name of any ministry."""
