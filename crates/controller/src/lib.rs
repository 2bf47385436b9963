//! Watches, asks the engine, performs its effects, persists; never branches on what a workflow means.
