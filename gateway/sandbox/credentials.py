"""The keys the simulators accept; made up, and good for nothing else."""

GATELY_KEY = "gately_sk_test_sandbox"
GATELY_PROJECT_ID = "5b1e0c1a-0000-4000-8000-000000000001"
COMETLY_KEY = "cometly-sandbox-space-key"
KLEN_KEY = "klen_sandbox"
