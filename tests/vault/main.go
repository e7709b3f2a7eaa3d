// What is a Vault for tests? HashiCorp's own core and its HTTP, with KV and AppRole, on memory, without the clouds.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/hashicorp/go-hclog"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/command/server"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

func main() {
	address := flag.String("address", "127.0.0.1:0", "where it listens")
	flag.Parse()
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr})
	memory, err := inmem.NewInmem(nil, logger)
	check(err)
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           memory,
		DisableMlock:       true,
		Logger:             logger,
		BuiltinRegistry:    builtin{},
		LogicalBackends:    factories(consts.PluginTypeSecrets),
		CredentialBackends: factories(consts.PluginTypeCredential),
		RawConfig:          &server.Config{SharedConfig: &configutil.SharedConfig{DisableMlock: true}},
	})
	check(err)
	listener, err := net.Listen("tcp", *address)
	check(err)
	fmt.Println(listener.Addr())
	check(http.Serve(listener, vaulthttp.Handler.Handler(&vault.HandlerProperties{
		Core:           core,
		ListenerConfig: &configutil.Listener{},
	})))
}

// builtin knows what this Vault can do: keep secrets, and let roles in.
type builtin struct{}

func factories(kind consts.PluginType) map[string]logical.Factory {
	switch kind {
	case consts.PluginTypeSecrets:
		return map[string]logical.Factory{"kv": kv.Factory}
	case consts.PluginTypeCredential:
		return map[string]logical.Factory{"approle": approle.Factory}
	default:
		return nil
	}
}

func (builtin) Contains(name string, kind consts.PluginType) bool {
	return factories(kind)[name] != nil
}

func (builtin) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	found := factories(kind)[name]
	return func() (interface{}, error) { return found, nil }, found != nil
}

func (builtin) Keys(kind consts.PluginType) []string {
	names := []string{}
	for name := range factories(kind) {
		names = append(names, name)
	}
	return names
}

func (builtin) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, factories(kind)[name] != nil
}

func (builtin) IsBuiltinEntPlugin(name string, kind consts.PluginType) bool {
	return false
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
