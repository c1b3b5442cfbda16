//! Prints as JSON what serde_yaml reads in the YAML of the variable TEXT.

fn main() {
    let text = std::env::var("TEXT").unwrap();
    match serde_yaml::from_str::<serde_yaml::Value>(&text) {
        Ok(value) => println!("serde_yaml       {}", serde_json::to_string(&value).unwrap()),
        Err(error) => println!("serde_yaml       refuses: {error}"),
    }
}
