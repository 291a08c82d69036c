//! Rows as CSV (RFC 4180). Names of packages and repositories are other
//! people's text: what a spreadsheet would take for a formula is given as text.
//! Method: <https://owasp.org/www-community/attacks/CSV_Injection>.

use jiff::Timestamp;

use super::entry::Row;

/// The names of the columns.
pub const CSV_HEADER: &str =
    "entry,at,repository,kind,package,version,step,before,verdict,score\r\n";

/// A row as one record.
#[must_use]
pub fn csv_record(row: &Row) -> String {
    let at = Timestamp::from_microsecond(row.at)
        .map_or_else(|_| row.at.to_string(), |at| at.to_string());
    let score = row.score.map(|score| score.to_string()).unwrap_or_default();
    let fields = [
        &row.entry,
        &at,
        &row.repository,
        &row.kind,
        &row.package,
        &row.version,
        &row.step,
        &row.before,
        &row.verdict,
        &score,
    ];
    let fields: Vec<String> = fields.into_iter().map(|text| field(text)).collect();
    format!("{}\r\n", fields.join(","))
}

fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains(['"', ',', '\n', '\r', ';', '\'']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula() {
        for (text, written) in [
            ("moka", "moka"),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("\t=1", "\"'\t=1\""),
            ("a\"b,c", "\"a\"\"b,c\""),
            ("a\r\nb", "\"a\r\nb\""),
        ] {
            assert_eq!(field(text), written);
        }
    }
}
