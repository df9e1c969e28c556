package main

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/textproto"
	"strings"

	"github.com/cloudflare/cloudflare-go/v7"
	"github.com/cloudflare/cloudflare-go/v7/durable_objects"
	"github.com/cloudflare/cloudflare-go/v7/option"
	"github.com/cloudflare/cloudflare-go/v7/packages/pagination"
	"github.com/cloudflare/cloudflare-go/v7/secrets_store"
	"github.com/cloudflare/cloudflare-go/v7/workers"
	"github.com/cloudflare/cloudflare-go/v7/workflows"
)

const code = `import { WorkflowEntrypoint } from "cloudflare:workers";
export class Flow extends WorkflowEntrypoint { async run(event, step) { return await step.do("one", async () => 1) } }
export default { async fetch(request, env) { return new Response(env.WORD) } }`

// upload is what users of this SDK send: it writes `metadata.main_module` and the like into a form, and Cloudflare reads one
// part `metadata` (cloudflare-typescript#2799 tells the same of its sibling, 2026-08).
func upload(metadata map[string]any) option.RequestOption {
	body := &bytes.Buffer{}
	form := multipart.NewWriter(body)
	told, _ := json.Marshal(metadata)
	_ = form.WriteField("metadata", string(told))
	head := textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="worker.js"; filename="worker.js"`},
		"Content-Type":        {"application/javascript+module"},
	}
	part, _ := form.CreatePart(head)
	_, _ = part.Write([]byte(code))
	_ = form.Close()
	return option.WithRequestBody(form.FormDataContentType(), body.Bytes())
}

func scripts() {
	of, name, id := client.Workers.Scripts, "by-go", cloudflare.F(account)
	word := map[string]any{"type": "plain_text", "name": "WORD", "text": "hello"}
	metadata := map[string]any{"main_module": "worker.js", "compatibility_date": "2026-04-01", "bindings": []any{word}}
	call("script put", func() (*workers.ScriptUpdateResponse, error) {
		return of.Update(ctx, name, workers.ScriptUpdateParams{AccountID: id}, upload(metadata))
	})
	call("scripts", func() (*pagination.SinglePage[workers.ScriptListResponse], error) {
		return of.List(ctx, workers.ScriptListParams{AccountID: id})
	})
	text := call("script get", func() (*string, error) { return of.Get(ctx, name, workers.ScriptGetParams{AccountID: id}) })
	expect("script text", strings.Contains(*text, "env.WORD"), *text)
	version := call("version new", func() (*workers.ScriptVersionNewResponse, error) {
		return of.Versions.New(ctx, name, workers.ScriptVersionNewParams{AccountID: id}, upload(metadata))
	})
	call("versions", func() (*pagination.V4PagePagination[workers.ScriptVersionListResponse], error) {
		return of.Versions.List(ctx, name, workers.ScriptVersionListParams{AccountID: id})
	})
	call("version", func() (*workers.ScriptVersionGetResponse, error) {
		return of.Versions.Get(ctx, name, version.ID, workers.ScriptVersionGetParams{AccountID: id})
	})
	call("deployment new", func() (*workers.Deployment, error) {
		return of.Deployments.New(ctx, name, workers.ScriptDeploymentNewParams{AccountID: id, Deployment: workers.DeploymentParam{
			Strategy: cloudflare.F(workers.DeploymentStrategyPercentage),
			Versions: cloudflare.F([]workers.DeploymentVersionParam{{Percentage: cloudflare.F(100.0), VersionID: cloudflare.F(version.ID)}}),
		}})
	})
	call("deployments", func() (*workers.ScriptDeploymentListResponse, error) {
		return of.Deployments.List(ctx, name, workers.ScriptDeploymentListParams{AccountID: id})
	})
	call("secret put", func() (*workers.ScriptSecretUpdateResponse, error) {
		return of.Secrets.Update(ctx, name, workers.ScriptSecretUpdateParams{AccountID: id, Body: workers.ScriptSecretUpdateParamsBodyWorkersBindingKindSecretText{
			Name: cloudflare.F("KEY"), Text: cloudflare.F("x"), Type: cloudflare.F(workers.ScriptSecretUpdateParamsBodyWorkersBindingKindSecretTextTypeSecretText),
		}})
	})
	call("secrets", func() (*pagination.SinglePage[workers.ScriptSecretListResponse], error) {
		return of.Secrets.List(ctx, name, workers.ScriptSecretListParams{AccountID: id})
	})
	call("schedules put", func() (*workers.ScriptScheduleUpdateResponse, error) {
		return of.Schedules.Update(ctx, name, workers.ScriptScheduleUpdateParams{AccountID: id, Body: []workers.ScriptScheduleUpdateParamsBody{{Cron: cloudflare.F("*/30 * * * *")}}})
	})
	call("schedules", func() (*workers.ScriptScheduleGetResponse, error) {
		return of.Schedules.Get(ctx, name, workers.ScriptScheduleGetParams{AccountID: id})
	})
	call("subdomain put", func() (*workers.ScriptSubdomainNewResponse, error) {
		return of.Subdomain.New(ctx, name, workers.ScriptSubdomainNewParams{AccountID: id, Enabled: cloudflare.F(true)})
	})
	call("subdomain of the account", func() (*workers.SubdomainGetResponse, error) {
		return client.Workers.Subdomains.Get(ctx, workers.SubdomainGetParams{AccountID: id})
	})
	call("script settings", func() (*workers.ScriptSetting, error) {
		return of.Settings.Get(ctx, name, workers.ScriptSettingGetParams{AccountID: id})
	})
	call("version settings", func() (*workers.ScriptScriptAndVersionSettingGetResponse, error) {
		return of.ScriptAndVersionSettings.Get(ctx, name, workers.ScriptScriptAndVersionSettingGetParams{AccountID: id})
	})
	call("content put", func() (*workers.Script, error) {
		return of.Content.Update(ctx, name, workers.ScriptContentUpdateParams{AccountID: id}, upload(map[string]any{"main_module": "worker.js"}))
	})
	call("tail new", func() (*workers.ScriptTailNewResponse, error) {
		return of.Tail.New(ctx, name, workers.ScriptTailNewParams{AccountID: id, Body: map[string]any{}})
	})
	call("account settings", func() (*workers.AccountSettingGetResponse, error) {
		return client.Workers.AccountSettings.Get(ctx, workers.AccountSettingGetParams{AccountID: id})
	})
	call("workers", func() (*pagination.V4PagePaginationArray[workers.Worker], error) {
		return client.Workers.Beta.Workers.List(ctx, workers.BetaWorkerListParams{AccountID: id})
	})
	call("objects", func() (*pagination.V4PagePaginationArray[durable_objects.Namespace], error) {
		return client.DurableObjects.Namespaces.List(ctx, durable_objects.NamespaceListParams{AccountID: id})
	})
}

func flows() {
	of, name, id := client.Workflows, "by-go-flow", cloudflare.F(account)
	call("workflow put", func() (*workflows.WorkflowUpdateResponse, error) {
		return of.Update(ctx, name, workflows.WorkflowUpdateParams{AccountID: id, ClassName: cloudflare.F("Flow"), ScriptName: cloudflare.F("by-go")})
	})
	call("workflow", func() (*workflows.WorkflowGetResponse, error) {
		return of.Get(ctx, name, workflows.WorkflowGetParams{AccountID: id})
	})
	call("workflows", func() (*pagination.V4PagePaginationArray[workflows.WorkflowListResponse], error) {
		return of.List(ctx, workflows.WorkflowListParams{AccountID: id})
	})
	made := call("instance new", func() (*workflows.InstanceNewResponse, error) {
		return of.Instances.New(ctx, name, workflows.InstanceNewParams{AccountID: id, InstanceID: cloudflare.F("one")})
	})
	call("instance", func() (*workflows.InstanceGetResponse, error) {
		return of.Instances.Get(ctx, name, made.ID, workflows.InstanceGetParams{AccountID: id})
	})
	call("instances", func() (*pagination.V4PagePaginationArray[workflows.InstanceListResponse], error) {
		return of.Instances.List(ctx, name, workflows.InstanceListParams{AccountID: id})
	})
	call("workflow versions", func() (*pagination.V4PagePaginationArray[workflows.VersionListResponse], error) {
		return of.Versions.List(ctx, name, workflows.VersionListParams{AccountID: id})
	})
	call("workflow delete", func() (*workflows.WorkflowDeleteResponse, error) {
		return of.Delete(ctx, name, workflows.WorkflowDeleteParams{AccountID: id})
	})
	call("script delete", func() (*workers.ScriptDeleteResponse, error) {
		return client.Workers.Scripts.Delete(ctx, "by-go", workers.ScriptDeleteParams{AccountID: id, Force: cloudflare.F(true)})
	})
	refused("script gone", 404, 10007, func() error {
		_, err := client.Workers.Scripts.Settings.Get(ctx, "by-go", workers.ScriptSettingGetParams{AccountID: id})
		return err
	})
}

func secrets() {
	of, id := client.SecretsStore.Stores, cloudflare.F(account)
	call("stores", func() (*pagination.V4PagePaginationArray[secrets_store.StoreListResponse], error) {
		return of.List(ctx, secrets_store.StoreListParams{AccountID: id})
	})
	made := call("store new", func() (*secrets_store.StoreNewResponse, error) {
		return of.New(ctx, secrets_store.StoreNewParams{AccountID: id, Name: cloudflare.F("by-go")})
	})
	call("store secret", func() (*pagination.SinglePage[secrets_store.StoreSecretNewResponse], error) {
		return of.Secrets.New(ctx, made.ID, secrets_store.StoreSecretNewParams{AccountID: id, Body: []secrets_store.StoreSecretNewParamsBody{{
			Name: cloudflare.F("KEY"), Value: cloudflare.F("a-secret"), Scopes: cloudflare.F([]secrets_store.StoreSecretNewParamsBodyScope{secrets_store.StoreSecretNewParamsBodyScopeWorkers}),
		}}})
	})
	call("store secrets", func() (*pagination.V4PagePaginationArray[secrets_store.StoreSecretListResponse], error) {
		return of.Secrets.List(ctx, made.ID, secrets_store.StoreSecretListParams{AccountID: id})
	})
	call("store quota", func() (*secrets_store.QuotaGetResponse, error) {
		return client.SecretsStore.Quota.Get(ctx, secrets_store.QuotaGetParams{AccountID: id})
	})
	call("store delete", func() (*secrets_store.StoreDeleteResponse, error) {
		return of.Delete(ctx, made.ID, secrets_store.StoreDeleteParams{AccountID: id, Force: cloudflare.F(true)})
	})
}
