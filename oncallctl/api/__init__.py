"""The OnCall API in both dialects: what is sent, what is answered, and what the answers mean."""
