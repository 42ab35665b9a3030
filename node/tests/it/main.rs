//! Claims about the node's parts together: real sockets, real files, real signatures.

#[cfg(test)]
mod consortium;
#[cfg(test)]
mod four_nodes;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod votelog;
