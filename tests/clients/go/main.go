// Cloudflare's Go SDK leads things of each product through their life at one address.
//
//	CLOUDFLARE_BASE_URL=... CLOUDFLARE_API_TOKEN=... program ACCOUNT
//
// prints one JSON object: by each call what it missed in the answer, or the error; an empty list when all is as the SDK's
// models have it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/cloudflare/cloudflare-go/v7"
)

var (
	account string
	said    = map[string][]string{}
	ctx     = context.Background()
	client  *cloudflare.Client
)

// call keeps what is missing in an answer, and gives it to what follows.
func call[T any](name string, ask func() (*T, error)) *T {
	answer, err := caught(ask)
	said[name] = []string{}
	switch {
	case err != nil:
		said[name] = []string{fmt.Sprintf("%.300s", err)}
	case answer != nil:
		said[name] = append(said[name], misses(answer)...)
	}
	if answer == nil {
		answer = new(T)
	}
	return answer
}

// caught makes an error of what the SDK falls over.
func caught[T any](ask func() (*T, error)) (answer *T, err error) {
	defer func() {
		if fell := recover(); fell != nil {
			err = fmt.Errorf("panic: %v", fell)
		}
	}()
	return ask()
}

// refused is right when the answer is an error with this status and Cloudflare's code.
func refused(name string, status int, code int64, ask func() error) {
	err := ask()
	var told *cloudflare.Error
	said[name] = []string{}
	switch {
	case err == nil:
		said[name] = []string{"no error"}
	case !errors.As(err, &told):
		said[name] = []string{fmt.Sprintf("%.300s", err)}
	case told.StatusCode != status || len(told.Errors) == 0 || told.Errors[0].Code != code || told.Errors[0].Message == "":
		said[name] = []string{fmt.Sprintf("%d %+v", told.StatusCode, told.Errors)}
	}
}

// expect keeps a difference between what came and what was to come.
func expect(name string, right bool, came any) {
	said[name] = []string{}
	if !right {
		said[name] = []string{fmt.Sprintf("came %.200v", came)}
	}
}

func main() {
	account = os.Args[1]
	client = cloudflare.NewClient()
	for _, product := range []func(){
		whoAsks, keys, databases, objects, messages, vectors, inferences, scripts, flows, secrets,
	} {
		product()
	}
	told, _ := json.Marshal(said)
	fmt.Println(string(told))
}
