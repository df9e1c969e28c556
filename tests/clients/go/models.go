package main

import (
	"bytes"
	"io"

	"github.com/cloudflare/cloudflare-go/v7"
	"github.com/cloudflare/cloudflare-go/v7/ai"
	"github.com/cloudflare/cloudflare-go/v7/ai_gateway"
	"github.com/cloudflare/cloudflare-go/v7/packages/pagination"
	"github.com/cloudflare/cloudflare-go/v7/shared"
	"github.com/cloudflare/cloudflare-go/v7/vectorize"
)

const lines = `{"id":"a","values":[1,0,0],"metadata":{"kind":"x"}}
{"id":"b","values":[0,1,0],"metadata":{"kind":"y"}}
`

func vectors() {
	of, name := client.Vectorize.Indexes, "by-go"
	call("vectorize new", func() (*vectorize.CreateIndex, error) {
		return of.New(ctx, vectorize.IndexNewParams{AccountID: cloudflare.F(account), Name: cloudflare.F(name), Config: cloudflare.F[vectorize.IndexNewParamsConfigUnion](
			vectorize.IndexDimensionConfigurationParam{Dimensions: cloudflare.F(int64(3)), Metric: cloudflare.F(vectorize.IndexDimensionConfigurationMetricCosine)},
		)})
	})
	call("vectorize metadata index", func() (*vectorize.IndexMetadataIndexNewResponse, error) {
		return of.MetadataIndex.New(ctx, name, vectorize.IndexMetadataIndexNewParams{AccountID: cloudflare.F(account), IndexType: cloudflare.F(vectorize.IndexMetadataIndexNewParamsIndexTypeString), PropertyName: cloudflare.F("kind")})
	})
	call("vectorize metadata indexes", func() (*vectorize.IndexMetadataIndexListResponse, error) {
		return of.MetadataIndex.List(ctx, name, vectorize.IndexMetadataIndexListParams{AccountID: cloudflare.F(account)})
	})
	call("vectorize insert", func() (*vectorize.IndexInsertResponse, error) {
		return of.Insert(ctx, name, vectorize.IndexInsertParams{AccountID: cloudflare.F(account), Body: io.Reader(bytes.NewBufferString(lines))})
	})
	call("vectorize upsert", func() (*vectorize.IndexUpsertResponse, error) {
		return of.Upsert(ctx, name, vectorize.IndexUpsertParams{AccountID: cloudflare.F(account), Body: io.Reader(bytes.NewBufferString(lines))})
	})
	found := call("vectorize query", func() (*vectorize.IndexQueryResponse, error) {
		return of.Query(ctx, name, vectorize.IndexQueryParams{
			AccountID: cloudflare.F(account), Vector: cloudflare.F([]float64{1, 0, 0}), TopK: cloudflare.F(5.0), ReturnValues: cloudflare.F(true),
			ReturnMetadata: cloudflare.F(vectorize.IndexQueryParamsReturnMetadataAll), Filter: cloudflare.F[any](map[string]any{"kind": "x"}),
		})
	})
	expect("vectorize found", len(found.Matches) == 1 && found.Matches[0].ID == "a", found.Matches)
	call("vectorize by ids", func() (*vectorize.IndexGetByIDsResponse, error) {
		return of.GetByIDs(ctx, name, vectorize.IndexGetByIDsParams{AccountID: cloudflare.F(account), IDs: cloudflare.F([]string{"a"})})
	})
	call("vectorize vectors", func() (*vectorize.IndexListVectorsResponse, error) {
		return of.ListVectors(ctx, name, vectorize.IndexListVectorsParams{AccountID: cloudflare.F(account), Count: cloudflare.F(int64(1))})
	})
	call("vectorize info", func() (*vectorize.IndexInfoResponse, error) {
		return of.Info(ctx, name, vectorize.IndexInfoParams{AccountID: cloudflare.F(account)})
	})
	call("vectorize delete ids", func() (*vectorize.IndexDeleteByIDsResponse, error) {
		return of.DeleteByIDs(ctx, name, vectorize.IndexDeleteByIDsParams{AccountID: cloudflare.F(account), IDs: cloudflare.F([]string{"a"})})
	})
	call("vectorize list", func() (*pagination.SinglePage[vectorize.CreateIndex], error) {
		return of.List(ctx, vectorize.IndexListParams{AccountID: cloudflare.F(account)})
	})
	call("vectorize delete", func() (*any, error) {
		return of.Delete(ctx, name, vectorize.IndexDeleteParams{AccountID: cloudflare.F(account)})
	})
	refused("vectorize gone", 404, 3000, func() error {
		_, err := of.Get(ctx, name, vectorize.IndexGetParams{AccountID: cloudflare.F(account)})
		return err
	})
}

func inferences() {
	call("ai text", func() (*ai.AIRunResponseUnion, error) {
		return client.AI.Run(ctx, "@cf/meta/llama-3.2-3b-instruct", ai.AIRunParams{AccountID: cloudflare.F(account), Body: ai.AIRunParamsBodyPrompt{Prompt: cloudflare.F("Say hello")}})
	})
	call("ai vectors", func() (*ai.AIRunResponseUnion, error) {
		return client.AI.Run(ctx, "@cf/baai/bge-m3", ai.AIRunParams{AccountID: cloudflare.F(account), Body: ai.AIRunParamsBodyTextEmbeddings{
			Text: cloudflare.F[ai.AIRunParamsBodyTextEmbeddingsTextUnion](shared.UnionString("a")),
		}})
	})
	call("ai classification", func() (*ai.AIRunResponseUnion, error) {
		return client.AI.Run(ctx, "@cf/huggingface/distilbert-sst-2-int8", ai.AIRunParams{AccountID: cloudflare.F(account), Body: ai.AIRunParamsBodyTextClassification{Text: cloudflare.F("good")}})
	})
	refused("ai no such model", 400, 5007, func() error {
		_, err := client.AI.Run(ctx, "@cf/meta/none", ai.AIRunParams{AccountID: cloudflare.F(account), Body: ai.AIRunParamsBodyPrompt{Prompt: cloudflare.F("a")}})
		return err
	})
	call("ai models", func() (*pagination.V4PagePaginationArray[ai.ModelListResponse], error) {
		return client.AI.Models.List(ctx, ai.ModelListParams{AccountID: cloudflare.F(account), Search: cloudflare.F("bge")})
	})
	call("ai schema", func() (*ai.ModelSchemaGetResponse, error) {
		return client.AI.Models.Schema.Get(ctx, ai.ModelSchemaGetParams{AccountID: cloudflare.F(account), Model: cloudflare.F("@cf/baai/bge-m3")})
	})
	call("ai tasks", func() (*pagination.SinglePage[ai.TaskListResponse], error) {
		return client.AI.Tasks.List(ctx, ai.TaskListParams{AccountID: cloudflare.F(account)})
	})
	call("ai formats", func() (*pagination.SinglePage[ai.ToMarkdownSupportedResponse], error) {
		return client.AI.ToMarkdown.Supported(ctx, ai.ToMarkdownSupportedParams{AccountID: cloudflare.F(account)})
	})
	gateways()
}

func gateways() {
	of, name := client.AIGateway, "by-go"
	call("gateway new", func() (*ai_gateway.AIGatewayNewResponse, error) {
		return of.New(ctx, ai_gateway.AIGatewayNewParams{
			AccountID: cloudflare.F(account), ID: cloudflare.F(name), CacheInvalidateOnUpdate: cloudflare.F(true), CacheTTL: cloudflare.F(int64(0)),
			CollectLogs: cloudflare.F(true), RateLimitingInterval: cloudflare.F(int64(0)), RateLimitingLimit: cloudflare.F(int64(0)),
		})
	})
	call("gateway update", func() (*ai_gateway.AIGatewayUpdateResponse, error) {
		return of.Update(ctx, name, ai_gateway.AIGatewayUpdateParams{
			AccountID: cloudflare.F(account), CacheInvalidateOnUpdate: cloudflare.F(true), CacheTTL: cloudflare.F(int64(60)),
			CollectLogs: cloudflare.F(true), RateLimitingInterval: cloudflare.F(int64(0)), RateLimitingLimit: cloudflare.F(int64(0)),
		})
	})
	call("gateway get", func() (*ai_gateway.AIGatewayGetResponse, error) {
		return of.Get(ctx, name, ai_gateway.AIGatewayGetParams{AccountID: cloudflare.F(account)})
	})
	call("gateway list", func() (*pagination.V4PagePaginationArray[ai_gateway.AIGatewayListResponse], error) {
		return of.List(ctx, ai_gateway.AIGatewayListParams{AccountID: cloudflare.F(account)})
	})
	call("gateway logs", func() (*pagination.V4PagePaginationArray[ai_gateway.LogListResponse], error) {
		return of.Logs.List(ctx, name, ai_gateway.LogListParams{AccountID: cloudflare.F(account)})
	})
	call("gateway routes", func() (*ai_gateway.DynamicRoutingListResponse, error) {
		return of.DynamicRouting.List(ctx, name, ai_gateway.DynamicRoutingListParams{AccountID: cloudflare.F(account)})
	})
	call("gateway providers", func() (*pagination.V4PagePaginationArray[ai_gateway.ProviderConfigListResponse], error) {
		return of.ProviderConfigs.List(ctx, name, ai_gateway.ProviderConfigListParams{AccountID: cloudflare.F(account)})
	})
	call("gateway delete", func() (*ai_gateway.AIGatewayDeleteResponse, error) {
		return of.Delete(ctx, name, ai_gateway.AIGatewayDeleteParams{AccountID: cloudflare.F(account)})
	})
}
