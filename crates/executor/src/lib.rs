//! What runs inside a pod: init, emissary, wait and their relatives.
