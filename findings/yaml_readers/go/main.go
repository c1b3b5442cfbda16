// Prints as JSON what sigs.k8s.io/yaml reads in the YAML of the variable TEXT: the different answers of 1000 calls.
package main

import (
	"fmt"
	"os"
	"slices"

	"sigs.k8s.io/yaml"
)

func main() {
	var read []string
	for i := 0; i < 1000; i++ {
		json, err := yaml.YAMLToJSON([]byte(os.Getenv("TEXT")))
		if err != nil {
			panic(err)
		}
		read = append(read, string(json))
	}
	slices.Sort(read)
	for _, json := range slices.Compact(read) {
		fmt.Printf("sigs.k8s.io/yaml %s\n", json)
	}
}
