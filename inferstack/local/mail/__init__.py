"""Mail that Workers send: kept here, and sent to nobody."""
