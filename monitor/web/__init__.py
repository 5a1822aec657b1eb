"""What the monitor serves over HTTP: the FHIR intake; pages grow beside it, one file a topic."""
