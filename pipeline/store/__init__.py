"""ML Metadata in a database that several roots and jobs share."""
