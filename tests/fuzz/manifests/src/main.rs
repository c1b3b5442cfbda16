//! Reads one JSON string a line, each a manifest, and answers one JSON array a line: what an agent makes of it, and why
//! or the objects it would send.

use std::io::{self, BufRead, BufWriter, Write};

use kube::core::DynamicObject;
use serde::Deserialize;
use serde_yaml::Value;

/// What an agent makes of a manifest.
enum Reading {
    /// The parser refuses the text. Agents of the first release exit.
    Refused(String),
    /// The parser reads it, but a document is no object. Agents of the first release exit here too.
    Unloadable(String),
    Loaded(Vec<DynamicObject>),
}

fn read(text: &str) -> Reading {
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        match Value::deserialize(document) {
            Ok(value) => documents.push(value),
            Err(error) => return Reading::Refused(error.to_string()),
        }
    }
    let mut objects = Vec::new();
    // Agents pass over null documents.
    for document in documents.into_iter().filter(|value| !value.is_null()) {
        match serde_yaml::from_value::<DynamicObject>(document) {
            Ok(object) => objects.push(object),
            Err(error) => return Reading::Unloadable(error.to_string()),
        }
    }
    Reading::Loaded(objects)
}

fn main() -> io::Result<()> {
    let mut answers = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let answer = match read(&text) {
            Reading::Refused(why) => serde_json::to_string(&("refused", why))?,
            Reading::Unloadable(why) => serde_json::to_string(&("unloadable", why))?,
            Reading::Loaded(objects) => serde_json::to_string(&("loaded", objects))?,
        };
        writeln!(answers, "{answer}")?;
    }
    Ok(())
}
