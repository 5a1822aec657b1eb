"""Rendering mails and handing them to the mail server, at least once."""
