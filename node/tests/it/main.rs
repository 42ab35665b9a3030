//! Claims about the node's parts together: real sockets, real files, real signatures.

#[cfg(test)]
mod strangers;
#[cfg(test)]
mod votelog;
