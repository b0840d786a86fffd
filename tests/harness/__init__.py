"""What the suites in Python share: an agent of their own, a Prometheus, generated sessions."""
