package main

import (
	"fmt"
	"reflect"
	"strings"
)

// What the SDK's models say of an answer: it reads any, and keeps beside each field whether it was there and of its kind.
type field interface {
	IsMissing() bool
	IsInvalid() bool
	IsNull() bool
	Raw() string
}

// misses tells each required field that an answer lacks, and each field of another kind, by its path.
func misses(answer any) []string {
	var found []string
	walk(reflect.ValueOf(answer), "", &found)
	return found
}

func walk(value reflect.Value, path string, found *[]string) {
	switch value.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !value.IsNil() {
			walk(value.Elem(), path, found)
		}
	case reflect.Slice:
		for place := 0; place < value.Len(); place++ {
			walk(value.Index(place), fmt.Sprintf("%s[%d]", path, place), found)
		}
	case reflect.Struct:
		if said := value.FieldByName("JSON"); said.IsValid() && said.Kind() == reflect.Struct {
			fields(value, said, path, found)
		}
	}
}

func fields(value, said reflect.Value, path string, found *[]string) {
	for place := 0; place < value.NumField(); place++ {
		declared := value.Type().Field(place)
		name, _, _ := strings.Cut(declared.Tag.Get("json"), ",")
		if !declared.IsExported() || name == "" || name == "-" {
			continue
		}
		at := strings.TrimPrefix(path+"."+name, ".")
		kept := said.FieldByName(declared.Name)
		if !kept.IsValid() || !kept.CanInterface() {
			continue
		}
		if of, is := kept.Interface().(field); is {
			if of.IsInvalid() {
				*found = append(*found, fmt.Sprintf("%s is %.80s", at, of.Raw()))
			} else if of.IsMissing() && strings.Contains(declared.Tag.Get("api"), "required") {
				*found = append(*found, at+" is missing")
			}
			if of.IsNull() {
				continue
			}
		}
		walk(value.Field(place), at, found)
	}
}
