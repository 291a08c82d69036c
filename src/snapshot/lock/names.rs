//! Which names a package may have.

/// Whether cargo would take this as the name of a package from a registry
/// (`ascii_only`) or from anywhere else.
///
/// Cargo's rule is in its `restricted_names::validate_package_name`: characters
/// of identifiers and `-`. A leading digit, which older versions of cargo
/// accepted, is let pass.
pub(super) fn is_package_name(name: &str, ascii_only: bool) -> bool {
    let mut bytes = name.bytes();
    let Some(first) = bytes.next() else {
        return false;
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if first == b'-' {
        return false;
    }
    if plain(first) && bytes.all(plain) {
        return true;
    }
    !ascii_only && is_identifier(name)
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    let start = chars
        .next()
        .is_some_and(|c| c == '_' || c.is_ascii_digit() || unicode_ident::is_xid_start(c));
    start && chars.all(|c| c == '-' || unicode_ident::is_xid_continue(c))
}
