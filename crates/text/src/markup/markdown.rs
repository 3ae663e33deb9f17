//! Markdown to text.

use super::{
    front_matter::front_matter,
    html::html_to_text,
    writer::{Break, Writer},
};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What is read beside `CommonMark`: what GitHub reads. Metadata is not among it: the parser takes whatever stands between two rules for
/// metadata, anywhere in a text, and prose would be lost. See `front_matter`.
pub(super) fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
}

/// The text of Markdown. Code is kept as it is; links and images give their text; metadata and tags of HTML go.
#[must_use]
pub fn markdown_to_text(markdown: &str) -> String {
    let mut writer = Writer::default();
    // Numbers of open ordered lists; nothing for those without.
    let mut lists: Vec<Option<u64>> = Vec::new();
    let mut verbatim = false;
    let mut html = String::new();
    for event in Parser::new_ext(&markdown[front_matter(markdown)..], options()) {
        match event {
            Event::Start(tag) => match tag {
                Tag::List(first) => {
                    writer.part(if lists.is_empty() { Break::Paragraph } else { Break::Line });
                    lists.push(first);
                }
                Tag::Item => match lists.last_mut() {
                    Some(Some(number)) => {
                        writer.mark(&format!("{number}. "));
                        *number = number.saturating_add(1);
                    }
                    _ => writer.mark("- "),
                },
                Tag::CodeBlock(_) => {
                    writer.part(Break::Paragraph);
                    verbatim = true;
                }
                Tag::TableHead | Tag::TableRow => writer.row(),
                Tag::TableCell => writer.cell(),
                Tag::Paragraph
                | Tag::Heading { .. }
                | Tag::BlockQuote(_)
                | Tag::Table(_)
                | Tag::FootnoteDefinition(_)
                | Tag::HtmlBlock => writer.part(Break::Paragraph),
                _ => {}
            },
            Event::End(tag) => match tag {
                TagEnd::List(_) => {
                    lists.pop();
                    writer.part(if lists.is_empty() { Break::Paragraph } else { Break::Line });
                }
                TagEnd::CodeBlock => {
                    verbatim = false;
                    writer.part(Break::Paragraph);
                }
                TagEnd::HtmlBlock => {
                    writer.verbatim(&html_to_text(&std::mem::take(&mut html)));
                    writer.part(Break::Paragraph);
                }
                TagEnd::Item | TagEnd::TableHead | TagEnd::TableRow => writer.part(Break::Line),
                TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::BlockQuote(_) | TagEnd::Table => {
                    writer.part(Break::Paragraph);
                }
                _ => {}
            },
            // A block of code ends with a line feed, which the break after it takes the place of.
            Event::Text(text) if verbatim => writer.code(&text),
            Event::Text(text) => writer.flow(&text),
            Event::Code(code) | Event::InlineMath(code) | Event::DisplayMath(code) => writer.verbatim(&code),
            Event::Html(tags) => html.push_str(&tags),
            Event::InlineHtml(tag) if tag.starts_with("<br") => writer.part(Break::Line),
            Event::SoftBreak => writer.part(Break::Space),
            Event::HardBreak => writer.part(Break::Line),
            Event::Rule => writer.part(Break::Paragraph),
            Event::TaskListMarker(done) => writer.mark(if done { "[x] " } else { "[ ] " }),
            Event::InlineHtml(_) | Event::FootnoteReference(_) => {}
        }
    }
    writer.finish()
}
