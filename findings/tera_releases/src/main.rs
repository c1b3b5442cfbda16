//! Renders each line of the standard input as a template, with the values that the variable VALUES holds as JSON, by
//! two releases of Tera.

fn said<E>(rendered: Result<String, E>) -> String {
    rendered.unwrap_or_else(|_| "refuses".into())
}

fn main() {
    let values: serde_json::Value = serde_json::from_str(&std::env::var("VALUES").unwrap()).unwrap();
    let first = tera1::Context::from_serialize(&values).unwrap();
    let second = tera2::Context::from_serialize(&values).unwrap();
    for line in std::io::stdin().lines() {
        let template = line.unwrap();
        println!("{template}");
        println!("  1.20.1 {}", said(tera1::Tera::one_off(&template, &first, false)));
        println!("  2.4.0  {}", said(tera2::Tera::one_off(&template, &second, false)));
    }
}
