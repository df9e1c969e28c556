"""Vectorize's limits, as the catalogue has them."""

from __future__ import annotations

from inferstack.catalog import limit

DIMENSIONS: int = limit("vectorize", "dimensions_max")
ID_BYTES: int = limit("vectorize", "vector_id_length")
NAMESPACE_BYTES: int = limit("vectorize", "namespace_name_length")
METADATA_BYTES: int = limit("vectorize", "metadata_per_vector") * 1024
METADATA_INDEXES: int = limit("vectorize", "metadata_indexes_per_index")
INDEXED_BYTES: int = limit("vectorize", "indexed_data_per_metadata_index_per_vector")
BATCH_OF_WORKERS: int = limit("vectorize", "upsert_batch")["workers"]
BATCH: int = limit("vectorize", "upsert_batch")["http_api"]
UPLOAD_BYTES: int = limit("vectorize", "upload_size") * 1_000_000
IDS_TO_GET: int = limit("vectorize", "get_by_ids_max")
IDS_TO_DELETE: int = limit("vectorize", "delete_by_ids_max")
LIST_PAGE: int = limit("vectorize", "list_vectors_page")
FILTER_BYTES: int = limit("vectorize", "filter_json_max")
FILTER_KEY: int = limit("vectorize", "filter_key_length")
TOP: int = limit("vectorize", "topk_default")
MOST_TOP: int = limit("vectorize", "topk_without_values_and_metadata")
MOST_TOP_IN_FULL: int = limit("vectorize", "topk_with_values_or_metadata_all")
LARGEST_NUMBER = 3.4028234e38  # of 32 bits
