//! The markers of a file: its frame, and of each scan the tables and the data without stuffing bytes.
//!
//! What is unusual makes the file one for libjpeg: each function answers `None` then.

use super::bits::Codes;
use std::rc::Rc;

/// Positions of coefficients in a block, row by row, in the order of their frequencies.
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Most scans that are decoded side by side.
const MOST_SCANS: usize = 64;

pub(super) type Quantisation = [u16; 64];

pub(super) struct Component {
    id: u8,
    /// Blocks of an MCU across and down.
    pub(super) across: usize,
    pub(super) down: usize,
    table: usize,
    /// Samples of a row and rows, and blocks of them.
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) blocks_across: usize,
    pub(super) blocks_down: usize,
    /// Steps between values, row by row; the table that was known when the component's first scan began.
    pub(super) steps: Option<Quantisation>,
}

pub(super) struct Frame {
    pub(super) progressive: bool,
    pub(super) width: usize,
    pub(super) height: usize,
    /// MCUs of a row, and rows of them.
    pub(super) mcus_across: usize,
    pub(super) mcus_down: usize,
    pub(super) components: Vec<Component>,
}

/// A component in a scan.
pub(super) struct Part {
    pub(super) component: usize,
    pub(super) first: Option<Rc<Codes>>,
    pub(super) others: Option<Rc<Codes>>,
}

pub(super) struct Scan {
    pub(super) parts: Vec<Part>,
    /// First and last frequency.
    pub(super) from: usize,
    pub(super) to: usize,
    /// Bits below those that were known before, or 0; bits below those that are known after.
    pub(super) known: u32,
    pub(super) low: u32,
    /// MCUs between restarts; 0 for none.
    pub(super) interval: usize,
    /// Where its data begin among those of all scans, and where each part between restarts ends.
    pub(super) start: usize,
    pub(super) ends: Vec<usize>,
}

pub(super) struct File {
    pub(super) frame: Frame,
    pub(super) scans: Vec<Scan>,
    /// Data of all scans.
    pub(super) data: Vec<u8>,
}

struct Parser {
    frame: Option<Frame>,
    scans: Vec<Scan>,
    data: Vec<u8>,
    steps: [Option<Quantisation>; 4],
    first: [Option<Rc<Codes>>; 4],
    others: [Option<Rc<Codes>>; 4],
    interval: usize,
    /// Of each component and frequency how many low bits are still unknown; none where nothing is known.
    unknown: [[Option<u32>; 64]; 3],
}

fn short(body: &[u8], at: usize) -> Option<usize> {
    body.get(at..)?.first_chunk().map(|bytes| usize::from(u16::from_be_bytes(*bytes)))
}

/// Reads all markers and scans up to the end marker.
pub(super) fn parse(bytes: &[u8]) -> Option<File> {
    let mut parser = Parser::new();
    parser.data.reserve(bytes.len());
    let mut at = 2;
    loop {
        let marker = match bytes.get(at..at + 2)? {
            [0xFF, 0xFF] => {
                at += 1;
                continue;
            }
            [0xFF, marker] => *marker,
            _ => return None,
        };
        if marker == 0xD9 {
            break;
        }
        let length = short(bytes, at + 2)?;
        let body = bytes.get(at + 4..at + 2 + length)?;
        at += 2 + length;
        match marker {
            0xC0..=0xC2 => parser.read_frame(body, marker == 0xC2)?,
            0xC4 => parser.read_codes(body)?,
            0xDB => parser.read_steps(body)?,
            0xDD => parser.interval = short(body, 0).filter(|_| body.len() == 2)?,
            0xDA => at = parser.read_scan(body, bytes, at)?,
            0xE0..=0xEF | 0xFE => {}
            _ => return None,
        }
    }
    let complete = |known: &[Option<u32>; 64]| known.iter().all(|&low| low == Some(0));
    let frame = parser.frame?;
    // What is not told to the last bit is smoothed by libjpeg.
    if !parser.unknown[..frame.components.len()].iter().all(complete) {
        return None;
    }
    Some(File { frame, scans: parser.scans, data: parser.data })
}

impl Parser {
    fn new() -> Self {
        Self {
            frame: None,
            scans: Vec::new(),
            data: Vec::new(),
            steps: [None; 4],
            first: Default::default(),
            others: Default::default(),
            interval: 0,
            unknown: [[None; 64]; 3],
        }
    }

    fn read_frame(&mut self, body: &[u8], progressive: bool) -> Option<()> {
        if self.frame.is_some() || *body.first()? != 8 {
            return None;
        }
        let (height, width) = (short(body, 1)?, short(body, 3)?);
        let count = usize::from(*body.get(5)?);
        if !matches!(count, 1 | 3) || body.len() != 6 + 3 * count || width == 0 || height == 0 {
            return None;
        }
        let mut components = Vec::new();
        for entry in body[6..].chunks_exact(3) {
            let (across, down) = (usize::from(entry[1] >> 4), usize::from(entry[1] & 15));
            if !matches!((across, down), (1 | 2, 1 | 2)) {
                return None;
            }
            components.push(Component {
                id: entry[0],
                // Alone, a component has MCUs of one block, whatever it says.
                across: if count == 1 { 1 } else { across },
                down: if count == 1 { 1 } else { down },
                table: usize::from(entry[2]),
                width: 0,
                height: 0,
                blocks_across: 0,
                blocks_down: 0,
                steps: None,
            });
        }
        let most_across = components.iter().map(|it| it.across).max()?;
        let most_down = components.iter().map(|it| it.down).max()?;
        for component in &mut components {
            component.width = (width * component.across).div_ceil(most_across);
            component.height = (height * component.down).div_ceil(most_down);
            component.blocks_across = component.width.div_ceil(8);
            component.blocks_down = component.height.div_ceil(8);
        }
        let (mcus_across, mcus_down) = (width.div_ceil(8 * most_across), height.div_ceil(8 * most_down));
        self.frame = Some(Frame { progressive, width, height, mcus_across, mcus_down, components });
        Some(())
    }

    fn read_steps(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = body.split_first() {
            let size = match kind >> 4 {
                0 => 1,
                1 => 2,
                _ => return None,
            };
            let (values, rest) = rest.split_at_checked(64 * size)?;
            let mut steps = [0; 64];
            for (value, at) in values.chunks_exact(size).zip(ZIGZAG) {
                steps[usize::from(at)] = value.iter().fold(0, |value, &byte| value << 8 | u16::from(byte));
            }
            *self.steps.get_mut(usize::from(kind & 15))? = Some(steps);
            body = rest;
        }
        Some(())
    }

    fn read_codes(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = body.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let total = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) = rest.split_at_checked(total)?;
            let codes = Rc::new(Codes::new(counts, symbols)?);
            let table = usize::from(kind & 15);
            match kind >> 4 {
                0 if codes.has_sizes_only() => *self.first.get_mut(table)? = Some(codes),
                1 => *self.others.get_mut(table)? = Some(codes),
                _ => return None,
            }
            body = rest;
        }
        Some(())
    }

    /// Reads a scan's header and its data, which begin at `at`; says where the next marker is.
    fn read_scan(&mut self, body: &[u8], bytes: &[u8], at: usize) -> Option<usize> {
        let frame = self.frame.as_mut()?;
        let (&count, rest) = body.split_first()?;
        let (entries, range) = rest.split_at_checked(2 * usize::from(count))?;
        let &[from, to, bits] = range else { return None };
        let (from, to) = (usize::from(from), usize::from(to));
        let (known, low) = (u32::from(bits >> 4), u32::from(bits & 15));
        let valid = if frame.progressive {
            let range = if from == 0 { to == 0 } else { from <= to && to <= 63 && count == 1 };
            range && low <= 13 && (known == 0 || known == low + 1)
        } else {
            (from, to, known, low) == (0, 63, 0, 0)
        };
        if !valid || entries.is_empty() || self.scans.len() == MOST_SCANS {
            return None;
        }
        let mut parts = Vec::new();
        for entry in entries.chunks_exact(2) {
            let component = frame.components.iter().position(|it| it.id == entry[0])?;
            // In the order of the frame, each once.
            if parts.last().is_some_and(|last: &Part| last.component >= component) {
                return None;
            }
            let found = &mut frame.components[component];
            if found.steps.is_none() {
                found.steps = Some((*self.steps.get(found.table)?)?);
            }
            let unknown = &mut self.unknown[component];
            if from > 0 && unknown[0].is_none() {
                return None;
            }
            for unknown in &mut unknown[from..=to] {
                if unknown.map_or(known != 0, |unknown| known == 0 || unknown != known) {
                    return None;
                }
                *unknown = Some(low);
            }
            let table =
                |tables: &[Option<Rc<Codes>>; 4], number: u8| tables.get(usize::from(number))?.clone();
            let first = table(&self.first, entry[1] >> 4);
            let others = table(&self.others, entry[1] & 15);
            if (from == 0 && known == 0 && first.is_none()) || (to > 0 && others.is_none()) {
                return None;
            }
            parts.push(Part { component, first, others });
        }
        let start = self.data.len();
        let (ends, next) = self.read_data(bytes, at)?;
        self.scans.push(Scan { parts, from, to, known, low, interval: self.interval, start, ends });
        Some(next)
    }

    /// Copies the data of a scan without stuffing; says where its parts end, and where the marker behind it is.
    fn read_data(&mut self, bytes: &[u8], mut at: usize) -> Option<(Vec<usize>, usize)> {
        let mut ends = Vec::new();
        loop {
            let rest = bytes.get(at..)?;
            let length = rest.iter().position(|&byte| byte == 0xFF)?;
            self.data.extend_from_slice(&rest[..length]);
            at += length;
            match *bytes.get(at + 1)? {
                0 => {
                    self.data.push(0xFF);
                    at += 2;
                }
                marker @ 0xD0..=0xD7 => {
                    if usize::from(marker - 0xD0) != ends.len() % 8 {
                        return None;
                    }
                    ends.push(self.data.len());
                    at += 2;
                }
                _ => {
                    ends.push(self.data.len());
                    return Some((ends, at));
                }
            }
        }
    }
}
