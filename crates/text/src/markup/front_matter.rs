//! The metadata at the beginning of a Markdown document: where it ends. It is not read here.

/// Metadata is short; what is longer is text between two rules.
const LONGEST: usize = 64 * 1024;

/// How many bytes of the document are front matter: a block of `key: value` lines between `---`, or of `key = value` lines between `+++`.
/// Zero where what stands between two rules is anything else, because that is text which somebody wants to find.
#[must_use]
pub(super) fn front_matter(markdown: &str) -> usize {
    let mut lines = markdown.split_inclusive('\n');
    let Some(first) = lines.next().map(str::trim_end) else { return 0 };
    let toml = match first {
        "---" => false,
        "+++" => true,
        _ => return 0,
    };
    let mut end = markdown.find('\n').map_or(markdown.len(), |feed| feed + 1);
    let mut keys = 0_usize;
    for line in lines {
        end += line.len();
        let line = line.trim_end();
        if line == first || !toml && line == "..." {
            return if keys > 0 { end } else { 0 };
        }
        match kind(line, toml) {
            Kind::Key => keys += 1,
            Kind::Other => {}
            Kind::Text => return 0,
        }
        if end > LONGEST {
            return 0;
        }
    }
    0
}

/// What a line between the rules may be.
enum Kind {
    Key,
    /// A comment, a blank line, or one that belongs to the value before it.
    Other,
    /// No line of metadata.
    Text,
}

fn kind(line: &str, toml: bool) -> Kind {
    let sign = if toml { '=' } else { ':' };
    let belongs = |c: char| c.is_whitespace() || matches!(c, '#' | '-' | '}' | ']' | '[' | '"' | '\'');
    match line.split_once(sign) {
        _ if line.is_empty() => Kind::Other,
        Some((key, value))
            if !line.starts_with(|c: char| c.is_whitespace() || matches!(c, '#' | '-' | '['))
                && !key.trim().is_empty()
                && (toml || value.is_empty() || value.starts_with(char::is_whitespace)) =>
        {
            Kind::Key
        }
        _ if line.starts_with(belongs) => Kind::Other,
        _ => Kind::Text,
    }
}
