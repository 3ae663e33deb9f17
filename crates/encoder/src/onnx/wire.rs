//! The wire format of protocol buffers, read in place: fields are numbers or slices of the file, nothing is copied and nothing is
//! allocated for a length that the file only claims.

/// One field of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    pub(crate) value: Value<'a>,
}

/// A field's value as its wire type gives it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Fixed64,
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// The bytes are no message, or it is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// The fields of a message, in the order of the file. Ends after the first broken one.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn next_field(&mut self) -> Result<Field<'a>, Broken> {
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).map_err(|_| Broken)?;
        if number == 0 {
            return Err(Broken);
        }
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                self.take(8)?;
                Value::Fixed64
            }
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_| Broken)?;
                Value::Bytes(self.take(len)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(*self.fixed()?)),
            _ => return Err(Broken),
        };
        Ok(Field { number, value })
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Broken> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Broken)?;
        self.rest = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<&'a [u8; N], Broken> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Broken)?;
        self.rest = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Broken> {
        let mut value = 0_u64;
        for (at, byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        Err(Broken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.next_field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

impl<'a> Value<'a> {
    pub(crate) fn bytes(self) -> Result<&'a [u8], Broken> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(Broken),
        }
    }

    pub(crate) fn text(self) -> Result<&'a str, Broken> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Broken)
    }

    pub(crate) fn int(self) -> Result<i64, Broken> {
        match self {
            Value::Varint(value) => Ok(value.cast_signed()),
            _ => Err(Broken),
        }
    }

    pub(crate) fn float(self) -> Result<f32, Broken> {
        match self {
            Value::Fixed32(bits) => Ok(f32::from_bits(bits)),
            _ => Err(Broken),
        }
    }

    /// A repeated integer: one value, or many packed side by side.
    pub(crate) fn ints(self, into: &mut Vec<i64>) -> Result<(), Broken> {
        match self {
            Value::Varint(value) => into.push(value.cast_signed()),
            Value::Bytes(bytes) => {
                let mut packed = Fields::of(bytes);
                while !packed.rest.is_empty() {
                    into.push(packed.varint()?.cast_signed());
                }
            }
            _ => return Err(Broken),
        }
        Ok(())
    }

    /// A repeated float: one value, or many packed side by side.
    pub(crate) fn floats(self, into: &mut Vec<f32>) -> Result<(), Broken> {
        match self {
            Value::Fixed32(bits) => into.push(f32::from_bits(bits)),
            Value::Bytes(bytes) => {
                let (chunks, rest) = bytes.as_chunks();
                if !rest.is_empty() {
                    return Err(Broken);
                }
                into.extend(chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)));
            }
            _ => return Err(Broken),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_and_slices() {
        let message = [0x08, 0x96, 0x01, 0x12, 0x02, b'h', b'i', 0x1d, 0, 0, 0x80, 0x3f];
        let fields: Vec<_> = Fields::of(&message).map(Result::unwrap).collect();
        assert_eq!(fields[0].value.int(), Ok(150));
        assert_eq!(fields[1].value.text(), Ok("hi"));
        assert_eq!(fields[2].value.float(), Ok(1.0));
    }

    #[test]
    fn a_claimed_length_is_not_believed() {
        let message = [0x12, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3];
        let fields: Vec<_> = Fields::of(&message).collect();
        assert!(matches!(fields[..], [Err(Broken)]));
    }

    #[test]
    fn a_number_without_end_is_broken() {
        assert!(matches!(Fields::of(&[0x80; 12]).next(), Some(Err(Broken))));
    }
}
