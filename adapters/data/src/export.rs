//! Data sets made of what a client puts out.
