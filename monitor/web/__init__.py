"""What monitor says over HTTP: /metrics, the API, health, and the ingestion of records."""
