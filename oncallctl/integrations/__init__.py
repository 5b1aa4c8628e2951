"""Selection of integrations, and the bodies of requests that create or update them."""
