//! The loopback double of the two services.
