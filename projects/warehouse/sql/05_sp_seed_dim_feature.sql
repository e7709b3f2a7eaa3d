-- Which features does the product have? Eighteen, in four categories; seeding again changes what was renamed only.
CREATE OR REPLACE PROCEDURE dw.sp_seed_dim_feature()
LANGUAGE sql AS $$
    INSERT INTO dw.dim_feature (feature_key, feature_code, name, category)
    VALUES ( 1, 'editor.open',            'Open a document',       'Editor'),
           ( 2, 'editor.save',            'Save a document',       'Editor'),
           ( 3, 'editor.share',           'Share a document',      'Editor'),
           ( 4, 'editor.comment',         'Comment',               'Editor'),
           ( 5, 'editor.export',          'Export a document',     'Editor'),
           ( 6, 'ai.complete',            'Complete text',         'AI'),
           ( 7, 'ai.summarize',           'Summarize',             'AI'),
           ( 8, 'ai.translate',           'Translate',             'AI'),
           ( 9, 'ai.chat',                'Chat',                  'AI'),
           (10, 'ai.explain_query',       'Explain a query',       'AI'),
           (11, 'catalog.search',         'Search the catalog',    'Catalog'),
           (12, 'catalog.browse',         'Browse the catalog',    'Catalog'),
           (13, 'catalog.tag',            'Tag an entry',          'Catalog'),
           (14, 'catalog.lineage',        'Show lineage',          'Catalog'),
           (15, 'governance.policy',      'Edit a policy',         'Governance'),
           (16, 'governance.access',      'Request access',        'Governance'),
           (17, 'governance.audit',       'Read the audit trail',  'Governance'),
           (18, 'governance.quality',     'Define a quality rule', 'Governance')
    ON CONFLICT (feature_key) DO UPDATE
    SET feature_code = EXCLUDED.feature_code, name = EXCLUDED.name, category = EXCLUDED.category
    WHERE (dim_feature.feature_code, dim_feature.name, dim_feature.category)
          IS DISTINCT FROM (EXCLUDED.feature_code, EXCLUDED.name, EXCLUDED.category)
$$;
