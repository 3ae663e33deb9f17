//! The structure of Markdown: which headings a part stands under, and where its blocks begin.

use super::{front_matter::front_matter, markdown::options};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// A part of a document under one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The byte it begins at; it ends where the next one begins.
    pub start: usize,
    /// Texts of the headings it stands under, outermost first; empty before the first heading.
    pub headings: Vec<String>,
}

/// Where a Markdown document may be cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// Its parts; together they are the document. There is always one.
    pub sections: Vec<Section>,
    /// Bytes at which blocks begin, sorted: paragraphs, items of lists, code, tables and their rows. A block that follows a
    /// heading is not among them, as the heading belongs to it.
    pub blocks: Vec<usize>,
}

/// Reads the structure of a Markdown document. A heading with nothing under it but deeper headings begins their section.
#[must_use]
pub fn outline(markdown: &str) -> Outline {
    let mut outline =
        Outline { sections: vec![Section { start: 0, headings: Vec::new() }], blocks: Vec::new() };
    // Levels and texts of the headings that are open.
    let mut path: Vec<(usize, String)> = Vec::new();
    let mut heading: Option<(usize, usize, String)> = None;
    let front = front_matter(markdown);
    // Whether the section so far is headings only.
    let mut bare = front == 0;
    // Quotes and lists: a heading in one of them is no heading of the document.
    let mut inside = 0_usize;
    for (event, range) in Parser::new_ext(&markdown[front..], options()).into_offset_iter() {
        let begin = front + range.start;
        match event {
            Event::Start(Tag::Heading { level, .. }) if inside == 0 => {
                heading = Some((line_start(markdown, begin), level as usize, String::new()));
            }
            Event::End(TagEnd::Heading(_)) if heading.is_some() => {
                let Some((start, level, text)) = heading.take() else { continue };
                let deeper = path.last().is_none_or(|(above, _)| level > *above);
                path.retain(|(above, _)| *above < level);
                path.push((level, text.split_whitespace().collect::<Vec<_>>().join(" ")));
                let headings = path.iter().map(|(_, text)| text.clone()).collect();
                match outline.sections.last_mut() {
                    Some(last) if bare && deeper => last.headings = headings,
                    _ => outline.sections.push(Section { start, headings }),
                }
                bare = true;
            }
            Event::Text(text) | Event::Code(text) if heading.is_some() => {
                if let Some((_, _, all)) = &mut heading {
                    all.push_str(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some((_, _, all)) = &mut heading {
                    all.push(' ');
                }
            }
            Event::Start(tag) => {
                if is_block(&tag) {
                    let start = line_start(markdown, begin);
                    if !std::mem::take(&mut bare) && outline.blocks.last().is_none_or(|&last| last < start) {
                        outline.blocks.push(start);
                    }
                }
                inside += usize::from(is_container(&tag));
            }
            Event::End(TagEnd::List(_) | TagEnd::BlockQuote(_) | TagEnd::FootnoteDefinition) => {
                inside = inside.saturating_sub(1);
            }
            _ => {}
        }
    }
    outline
}

fn is_container(tag: &Tag<'_>) -> bool {
    matches!(tag, Tag::List(_) | Tag::BlockQuote(_) | Tag::FootnoteDefinition(_))
}

fn is_block(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::Paragraph
            | Tag::BlockQuote(_)
            | Tag::CodeBlock(_)
            | Tag::HtmlBlock
            | Tag::List(_)
            | Tag::Item
            | Tag::FootnoteDefinition(_)
            | Tag::Table(_)
            | Tag::TableRow
    )
}

/// The start of the line, where only blanks and marks of containers stand between it and `at`.
fn line_start(markdown: &str, at: usize) -> usize {
    let line = markdown[..at].rfind('\n').map_or(0, |feed| feed + 1);
    if markdown[line..at].bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'>')) { line } else { at }
}
