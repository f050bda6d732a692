//! History by REST and the stream after it, joined without a hole or a double.
