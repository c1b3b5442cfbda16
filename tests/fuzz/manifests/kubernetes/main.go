// Reads manifests as kubectl and the API server do, with the modules they are built from.
//
// Answers one JSON array a line for each line of JSON: to ["kubectl", text] what kubectl would send, or its refusal; to
// ["server", text] the object that the API server decodes, or its refusal.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

func read(reader, text string) (string, error) {
	if reader == "kubectl" {
		// As kubectl's resource builder does.
		var raw runtime.RawExtension
		if err := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096).Decode(&raw); err != nil {
			return "", err
		}
		object, err := runtime.Decode(unstructured.UnstructuredJSONScheme, raw.Raw)
		if err != nil {
			return "", err
		}
		sent, err := runtime.Encode(unstructured.UnstructuredJSONScheme, object)
		return strings.TrimSpace(string(sent)), err
	}
	object, err := runtime.Decode(scheme.Codecs.UniversalDeserializer(), []byte(text))
	if err != nil {
		return "", err
	}
	decoded, err := json.Marshal(object)
	return string(decoded), err
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	answers := json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)
	for lines.Scan() {
		var asked [2]string
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		answer := [2]string{"reads", ""}
		text, err := read(asked[0], asked[1])
		if err != nil {
			answer = [2]string{"refuses", err.Error()}
		} else {
			answer[1] = text
		}
		if err := answers.Encode(answer); err != nil {
			panic(err)
		}
	}
}
