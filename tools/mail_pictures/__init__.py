"""Pictures of every kind of mail, to be looked at before a release."""
