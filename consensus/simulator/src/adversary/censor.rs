//! A primary that drops some clients' transactions.

/// Every third transaction is never proposed.
pub(super) const fn proposes(transaction: u64) -> bool {
    !transaction.is_multiple_of(3)
}
