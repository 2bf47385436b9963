//! One driver per artifact store; knows nothing of pods or phases.
