//! Runs the containers of pods; does not know who made the pod.
