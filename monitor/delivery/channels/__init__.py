"""One file a channel: mail servers, webhooks, queue folders, syslog."""
