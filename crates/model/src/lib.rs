//! Wire types of the custom resources, exactly as their JSON form writes them.
