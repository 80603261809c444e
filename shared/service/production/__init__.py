"""The production profile: its rules, the inspection of files and database, and the refusal to start."""
