//! A Kubernetes-compatible API in one process; does not know what a workflow is.
