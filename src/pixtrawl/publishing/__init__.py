"""Publish a data set to the Hugging Face Hub: what may be sent, and what is sent."""
