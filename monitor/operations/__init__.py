"""What people and jobs ask for, made of review, intake and delivery."""
